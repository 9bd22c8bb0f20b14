use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::*;
use crate::spec::ResourcesConfig;

fn cpu(cores: u64) -> Amounts {
    Amounts { cpu_milli: cores * 1_000, ..Amounts::default() }
}

fn gpus(gpus: u64) -> Amounts {
    Amounts { gpus, ..Amounts::default() }
}

fn poll(waiting: &mut Waiting) -> Option<Result<Held, Shortage>> {
    match pin!(waiting).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

#[test]
fn r_05_percentages_scale_every_resource() {
    let percent = |n| Share::percent(n).unwrap();
    let scaler = Scaler { cpu: percent(80), memory: percent(70), disk: percent(60), gpus: percent(50) };
    let host = Amounts { cpu_milli: 10, memory_bytes: 10, disk_bytes: 10, gpus: 1 };
    assert_eq!(scaler.apply(&host), Amounts { cpu_milli: 8, memory_bytes: 7, disk_bytes: 6, gpus: 1 });
}

#[test]
fn r_06_a_percentage_of_gpus_is_at_least_one_of_any() {
    for (percent, has, gets) in [(50, 0, 0), (50, 2, 1), (1, 2, 1), (75, 4, 3), (70, 3, 2)] {
        let scaler = Scaler::all(Share::percent(percent).unwrap());
        assert_eq!(scaler.apply(&gpus(has)).gpus, gets, "{percent}% of {has}");
    }
}

fn texts(cpu: &str, memory: &str, disk: &str, gpu: &str) -> ResourcesConfig {
    let [cpu, memory, disk, gpu] = [cpu, memory, disk, gpu].map(str::to_owned);
    ResourcesConfig { cpu, memory, disk, gpu }
}

#[test]
fn r_07_amounts_may_exceed_the_host() {
    let scaler = Scaler::parse(&texts("10000m", "10GB", "100GB", "4")).unwrap();
    assert_eq!(
        scaler.apply(&cpu(1)),
        Amounts { cpu_milli: 10_000, memory_bytes: 10_000_000_000, disk_bytes: 100_000_000_000, gpus: 4 }
    );
}

#[test]
fn shares_are_read_for_each_resource_and_default_where_empty() {
    let host = Amounts { cpu_milli: 1_000, memory_bytes: 1_000, disk_bytes: 1_000, gpus: 10 };
    let apply = |texts| Scaler::parse(&texts).unwrap().apply(&host);
    let gives =
        |cpu_milli, memory_bytes, disk_bytes, gpus| Amounts { cpu_milli, memory_bytes, disk_bytes, gpus };
    assert_eq!(apply(texts("", "", "", "")), gives(800, 800, 800, 10));
    assert_eq!(apply(texts("2.5", " 50 % ", "1 KiB", "30%")), gives(2_500, 500, 1_024, 3));
    for (at, bad) in ["-1", "80x", "101%", "1.5"].into_iter().enumerate() {
        let mut fields = [""; 4];
        fields[at] = bad;
        let [cpu, memory, disk, gpu] = fields;
        let error = Scaler::parse(&texts(cpu, memory, disk, gpu)).unwrap_err();
        assert!(error.to_string().contains(&format!("{bad:?}")), "{error}");
    }
}

#[test]
fn r_08_a_percentage_outside_0_to_100_is_refused() {
    for bad in ["101%", "-1%", "x%", "%", "100.0001%", "1.2.3%", "١%", "1e1%", "99999999999%", "", "x"] {
        assert!(bad.parse::<Share>().is_err(), "{bad}");
    }
    for (good, share) in [
        ("100%", Share::Part(1_000_000)),
        (" 12.5 %", Share::Part(125_000)),
        ("0%", Share::Part(0)),
        ("7", Share::Amount(7)),
    ] {
        assert_eq!(good.parse::<Share>().unwrap(), share, "{good}");
    }
}

#[test]
fn r_16_more_than_is_free_is_refused_and_changes_nothing() {
    let capacity = Capacity::new(gpus(2), 8);
    let refused = capacity.try_reserve(&gpus(4)).unwrap_err();
    assert_eq!((refused.kind, refused.resource), (ShortageKind::Never, Some(Resource::Gpu)));
    assert_eq!(capacity.available(), gpus(2));
    let held = capacity.try_reserve(&gpus(1)).unwrap();
    let refused = capacity.try_reserve(&gpus(2)).unwrap_err();
    assert_eq!((refused.kind, refused.available), (ShortageKind::NotNow, gpus(1)));
    assert_eq!(capacity.available(), gpus(1));
    drop(held);
    assert_eq!(capacity.available(), gpus(2));
}

#[test]
fn r_17_what_was_added_and_removed_is_zero() {
    let amounts = Amounts { cpu_milli: 1, memory_bytes: 2, disk_bytes: 3, gpus: 4 };
    let sum = Amounts::default().saturating_add(&amounts);
    assert_eq!(sum, amounts);
    assert!(sum.saturating_sub(&amounts).is_zero());
}

#[test]
fn r_19_subtracting_more_than_there_is_leaves_zero() {
    assert!(cpu(1).saturating_sub(&cpu(2)).is_zero());
}

#[test]
fn q_24_a_job_larger_than_the_node_says_so() {
    let asked = Amounts { cpu_milli: 1_500, memory_bytes: 2_000_000_000, disk_bytes: 512_000_000, gpus: 0 };
    let shortage = Capacity::new(cpu(1), 8).queue(&asked, 0).unwrap_err();
    assert_eq!(
        shortage.to_string(),
        "not enough capacity to run job: insufficient resources - requested: \
         {CPU: 1.50, Memory: 2.0 GB, Disk: 512 MB, GPU: 0}, available: \
         {CPU: 1.00, Memory: 0 B, Disk: 0 B, GPU: 0}"
    );
    assert_eq!(shortage.to_failure().code, crate::ReasonCode::NotEnoughCapacity);
}

#[test]
fn sizes_are_written_as_bacalhau_writes_them() {
    for (bytes, text) in [
        (0, "0 B"),
        (9, "9 B"),
        (10, "10 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (1_049, "1.0 kB"),
        (1_050, "1.1 kB"),
        (82_854_982, "83 MB"),
        (u64::MAX, "18 EB"),
    ] {
        let amounts = Amounts { memory_bytes: bytes, ..Amounts::default() };
        assert_eq!(amounts.to_string(), format!("{{CPU: 0.00, Memory: {text}, Disk: 0 B, GPU: 0}}"));
    }
}

#[test]
fn q_22_a_higher_priority_goes_first_and_equals_in_their_order() {
    let capacity = Capacity::new(cpu(1), 8);
    let mut held = Some(capacity.try_reserve(&cpu(1)).unwrap());
    let mut waiting: Vec<(char, Waiting)> = [('a', 1), ('b', 5), ('c', 1)]
        .map(|(name, priority)| (name, capacity.queue(&cpu(1), priority).unwrap()))
        .into();
    let mut order = String::new();
    while !waiting.is_empty() {
        drop(held.take());
        let (at, answer) =
            waiting.iter_mut().enumerate().find_map(|(at, (_, w))| Some((at, poll(w)?))).unwrap();
        held = Some(answer.unwrap());
        order.push(waiting.remove(at).0);
    }
    assert_eq!(order, "bac");
}

#[test]
fn q_23_small_ones_pass_a_big_head_but_not_for_ever() {
    let capacity = Capacity::new(cpu(4), 1_000);
    let mut held = vec![capacity.try_reserve(&cpu(1)).unwrap()];
    let mut big = capacity.queue(&cpu(4), 0).unwrap();
    let mut passed = 0;
    let blocked = loop {
        let mut small = capacity.queue(&cpu(1), 0).unwrap();
        match poll(&mut small) {
            Some(answer) => {
                passed += 1;
                held.push(answer.unwrap());
                drop(held.remove(0));
            }
            None => break small,
        }
    };
    assert_eq!(passed, PASSED_OVER_MAX);
    assert_eq!(capacity.try_reserve(&cpu(1)).unwrap_err().kind, ShortageKind::NotNow);
    assert!(poll(&mut big).is_none());
    held.clear();
    let big = poll(&mut big).unwrap().unwrap();
    assert_eq!(big.amounts(), cpu(4));
    let mut blocked = blocked;
    assert!(poll(&mut blocked).is_none());
    drop(big);
    assert!(poll(&mut blocked).unwrap().is_ok());
}

#[test]
fn q_26_leaving_the_queue_frees_the_place_and_whoever_it_blocked() {
    let capacity = Capacity::new(cpu(4), 2);
    let held = capacity.try_reserve(&cpu(4)).unwrap();
    let first = capacity.queue(&cpu(3), 0).unwrap();
    let mut second = capacity.queue(&cpu(1), 0).unwrap();
    assert_eq!(capacity.queue(&cpu(1), 0).unwrap_err().kind, ShortageKind::QueueFull);
    assert_eq!((capacity.load().waiting, capacity.load().queued), (2, cpu(4)));
    drop(first);
    assert_eq!((capacity.load().waiting, capacity.load().queued), (1, cpu(1)));
    drop(held);
    let second = poll(&mut second).unwrap().unwrap();
    assert_eq!(capacity.load().held, cpu(1));
    drop(second);
    assert!(capacity.load().held.is_zero());
}

#[test]
fn what_was_granted_to_one_who_left_is_given_back() {
    let capacity = Capacity::new(cpu(1), 8);
    let waiting = capacity.queue(&cpu(1), 0).unwrap();
    assert_eq!(capacity.available(), cpu(0));
    drop(waiting);
    assert_eq!(capacity.available(), cpu(1));
}

#[test]
fn a_smaller_total_refuses_those_who_can_never_be_served() {
    let capacity = Capacity::new(cpu(4), 8);
    let held = capacity.adopt(&cpu(6));
    assert_eq!(capacity.available(), cpu(0));
    let mut big = capacity.queue(&cpu(4), 0).unwrap();
    let mut small = capacity.queue(&cpu(2), 0).unwrap();
    capacity.set_total(cpu(2));
    assert_eq!(poll(&mut big).unwrap().unwrap_err().kind, ShortageKind::Never);
    assert!(poll(&mut small).is_none());
    drop(held);
    assert!(poll(&mut small).unwrap().is_ok());
}

#[derive(Debug, Clone)]
enum Step {
    Try(u64, u64),
    Queue(u64, u64, i32),
    Poll(usize),
    Leave(usize),
    Release(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..6_u64, 0..6_u64).prop_map(|(a, b)| Step::Try(a, b)),
        (0..6_u64, 0..6_u64, -1..2_i32).prop_map(|(a, b, p)| Step::Queue(a, b, p)),
        any::<usize>().prop_map(Step::Poll),
        any::<usize>().prop_map(Step::Leave),
        any::<usize>().prop_map(Step::Release),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn never_more_is_held_than_there_is_and_all_is_given_back(steps in prop::collection::vec(step(), 1..120)) {
        let total = Amounts { cpu_milli: 5, memory_bytes: 5, ..Amounts::default() };
        let amounts = |cpu_milli, memory_bytes| Amounts { cpu_milli, memory_bytes, ..Amounts::default() };
        let capacity = Capacity::new(total, 16);
        let (mut held, mut waiting): (Vec<Held>, Vec<Waiting>) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Try(a, b) => held.extend(capacity.try_reserve(&amounts(a, b))),
                Step::Queue(a, b, p) => waiting.extend(capacity.queue(&amounts(a, b), p)),
                Step::Poll(at) if !waiting.is_empty() => {
                    let at = at % waiting.len();
                    if let Some(answer) = poll(&mut waiting[at]) {
                        held.push(answer.unwrap());
                        drop(waiting.swap_remove(at));
                    }
                }
                Step::Leave(at) if !waiting.is_empty() => drop(waiting.swap_remove(at % waiting.len())),
                Step::Release(at) if !held.is_empty() => drop(held.swap_remove(at % held.len())),
                _ => {}
            }
            let load = capacity.load();
            prop_assert!(load.held.fits(&total));
            let known = held.iter().fold(Amounts::default(), |sum, h| sum.saturating_add(&h.amounts()));
            prop_assert!(known.fits(&load.held));
        }
        // With nothing held, everyone who waits is served in the end.
        held.clear();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain_mut(|w| poll(w).is_none());
            prop_assert!(waiting.len() < before);
        }
        let load = capacity.load();
        prop_assert!(load.held.is_zero() && load.queued.is_zero());
        prop_assert_eq!((load.holders, load.waiting), (0, 0));
    }
}
