package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/bacalhau-project/bacalhau/pkg/compute"
	"github.com/bacalhau-project/bacalhau/pkg/config/types"
	"github.com/bacalhau-project/bacalhau/pkg/executor"
	"github.com/bacalhau-project/bacalhau/pkg/executor/docker"
	dockermodels "github.com/bacalhau-project/bacalhau/pkg/executor/docker/models"
	"github.com/bacalhau-project/bacalhau/pkg/executor/wasm"
	wasmmodels "github.com/bacalhau-project/bacalhau/pkg/executor/wasm/models"
	"github.com/bacalhau-project/bacalhau/pkg/models"
	"github.com/bacalhau-project/bacalhau/pkg/storage"
)

const (
	moduleTarget     = "/main.wasm"
	memoryBytes      = 64 << 20
	outputBytesMax   = 1 << 30
	bacalhauModule   = "github.com/bacalhau-project/bacalhau"
	executionTimeout = 10 * time.Minute
)

func bacalhauVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == bacalhauModule {
				return dep.Version + " (" + info.GoVersion + ")"
			}
		}
	}
	return "unknown"
}

func settings() map[string]string {
	return map[string]string{
		"compiled module cache": "none: its executor compiles the module for every execution",
		"engine":                "wazero compiler, real clock",
		"execution folder":      "logs and results folders, stdout, stderr, exitCode; no receipt, no CID",
		"memory limit":          "64 MiB",
		"network":               "none",
		"process":               "child, warm",
		"result hash":           "none",
	}
}

// runner runs the prepared scenario with one of Bacalhau's executors.
type runner struct {
	scenario scenario
	executor executor.Executor
	params   *models.SpecConfig
	inputs   []storage.PreparedStorage
	outputs  []*models.ResultPath
	results  *compute.ResultsPath
}

func newRunner(ctx context.Context, s scenario) (*runner, error) {
	results, err := compute.NewResultsPath(filepath.Join(s.Work, "bacalhau"))
	if err != nil {
		return nil, err
	}
	r := &runner{scenario: s, results: results}
	for _, in := range s.Inputs {
		r.inputs = append(r.inputs, readOnly(in.Source, in.Target))
	}
	for _, out := range s.Outputs {
		r.outputs = append(r.outputs, &models.ResultPath{Name: out.Source, Path: out.Target})
	}
	switch {
	case s.Module != "":
		if r.executor, err = wasm.NewExecutor(); err != nil {
			return nil, err
		}
		r.params, err = wasmmodels.NewWasmEngineBuilder(moduleTarget).
			WithEntrypoint("_start").WithParameters(s.Args...).Build()
	case s.Image != "":
		if r.executor, err = docker.NewExecutor(docker.ExecutorParams{ID: "frogfish-bench", Config: types.Docker{}}); err != nil {
			return nil, err
		}
		if up, _ := r.executor.IsInstalled(ctx); !up {
			return nil, fmt.Errorf("no Docker daemon answers")
		}
		r.params, err = dockermodels.NewDockerEngineBuilder(s.Image).WithParameters(s.Args...).Build()
	default:
		return nil, fmt.Errorf("scenario %q has neither a module nor an image", s.Name)
	}
	return r, err
}

func readOnly(source, target string) storage.PreparedStorage {
	return storage.PreparedStorage{Volume: storage.StorageVolume{
		Type: storage.StorageVolumeConnectorBind, ReadOnly: true, Source: source, Target: target,
	}}
}

// once runs the scenario's jobs and answers with the wall time from the first start to the last result.
func (r *runner) once(ctx context.Context, run uint64, module string) (measured, error) {
	inputs := slices.Clone(r.inputs)
	if module == "" {
		module = r.scenario.Module
	}
	if module != "" {
		inputs = append(inputs, readOnly(module, moduleTarget))
	}
	jobs, inFlight := max(r.scenario.Jobs, 1), max(r.scenario.InFlight, 1)
	ctx, cancel := context.WithTimeout(ctx, executionTimeout)
	defer cancel()

	names := make(chan string, jobs)
	for job := range jobs {
		names <- fmt.Sprintf("e-%d-%d", run, job)
	}
	close(names)

	var group sync.WaitGroup
	var lock sync.Mutex
	var firstErr error
	answer := measured{}
	began := time.Now()
	for range min(inFlight, jobs) {
		group.Go(func() {
			for name := range names {
				code, err := r.execution(ctx, name, inputs)
				lock.Lock()
				answer.ExitCode = max(answer.ExitCode, code)
				if firstErr == nil {
					firstErr = err
				}
				lock.Unlock()
			}
		})
	}
	group.Wait()
	answer.Nanos = time.Since(began).Nanoseconds()
	if firstErr != nil {
		return answer, firstErr
	}
	// The results are not part of the next run; removing them is not part of this one.
	return answer, r.removeExecutions()
}

func (r *runner) removeExecutions() error {
	entries, err := os.ReadDir(r.results.OutputDir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(r.results.OutputDir, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// execution is what Bacalhau's compute node does around its executor: prepare the folders, run, read the result.
func (r *runner) execution(ctx context.Context, name string, inputs []storage.PreparedStorage) (int, error) {
	dir, err := r.results.PrepareExecutionOutputDir(name)
	if err != nil {
		return 0, err
	}
	result, err := r.executor.Run(ctx, &executor.RunCommandRequest{
		JobID:        "bench",
		ExecutionID:  name,
		Resources:    &models.Resources{Memory: memoryBytes},
		Network:      &models.NetworkConfig{Type: models.NetworkNone},
		Inputs:       inputs,
		Outputs:      r.outputs,
		ExecutionDir: dir,
		EngineParams: r.params,
		Env:          r.scenario.Env,
		OutputLimits: executor.OutputLimits{
			MaxStdoutFileLength: outputBytesMax, MaxStdoutReturnLength: 2048,
			MaxStderrFileLength: outputBytesMax, MaxStderrReturnLength: 2048,
		},
	})
	if err != nil {
		return 0, err
	}
	if result == nil {
		return 0, fmt.Errorf("execution %s ended without a result", name)
	}
	if result.ErrorMsg != "" {
		return 0, fmt.Errorf("execution %s: %s", name, result.ErrorMsg)
	}
	return result.ExitCode, nil
}
