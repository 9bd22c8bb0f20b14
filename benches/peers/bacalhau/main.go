// Command bacalhau-peer runs executions with Bacalhau 1.9.3's own executors and answers with their wall time.
//
// It speaks the line protocol of benches/README.md: one JSON request a line on stdin, one JSON answer a line on stdout.
// The clock runs inside this process, so neither process start nor the pipe is in a number.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/rs/zerolog"
	"github.com/rs/zerolog/log"
)

// requestBytesMax bounds one request line.
const requestBytesMax = 1 << 20

type request struct {
	Hello   int       `json:"hello"`
	Prepare *scenario `json:"prepare"`
	Run     *uint64   `json:"run"`
	// Module replaces the prepared module for this run, so that it is one never seen before.
	Module string `json:"module"`
}

// scenario is the part of a scenario that these executors understand.
type scenario struct {
	Name     string            `json:"name"`
	Kind     string            `json:"kind"`
	Work     string            `json:"work"`
	Module   string            `json:"module"`
	Image    string            `json:"image"`
	Args     []string          `json:"args"`
	Env      map[string]string `json:"env"`
	Inputs   []mount           `json:"inputs"`
	Outputs  []mount           `json:"outputs"`
	Jobs     int               `json:"jobs"`
	InFlight int               `json:"in_flight"`
}

// mount joins a host path, or an output's name, and a path in the guest.
type mount struct {
	Source string `json:"source"`
	Target string `json:"target"`
}

type hello struct {
	Version  string            `json:"version"`
	Settings map[string]string `json:"settings"`
}

type measured struct {
	Nanos    int64 `json:"nanos"`
	ExitCode int   `json:"exit_code"`
}

func main() {
	log.Logger = zerolog.New(io.Discard)
	zerolog.SetGlobalLevel(zerolog.Disabled)
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bacalhau-peer:", err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), requestBytesMax)
	answers := json.NewEncoder(out)
	var runs *runner
	for lines.Scan() {
		var req request
		var answer any
		err := json.Unmarshal(lines.Bytes(), &req)
		switch {
		case err != nil:
		case req.Hello != 0:
			answer = hello{Version: bacalhauVersion(), Settings: settings()}
		case req.Prepare != nil:
			runs, err = newRunner(context.Background(), *req.Prepare)
			answer = struct{}{}
		case req.Run != nil && runs != nil:
			answer, err = runs.once(context.Background(), *req.Run, req.Module)
		default:
			err = fmt.Errorf("request has none of hello, prepare, run (or run came before prepare)")
		}
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}
