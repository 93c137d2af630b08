package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/trusted"
	"github.com/seam-project/seam/preload/plan"
)

// plan makes the plans of objects for a spec and stores them in its cache. A
// target runs it, when it loads a library that the launcher did not foresee and
// its agent does not run (preload/core/planner.c).
func (a *app) plan(f *flags) (int, error) {
	if f.set.NArg() < 2 {
		return 0, &problem{msg: "no spec, or no object", hint: "seam plan is for programs that seam watches; you want seam doctor"}
	}
	args := f.set.Args()
	live := args[0] == "live" // for a process that runs
	if live {
		args = args[1:]
	}
	// A process asks for this with a path that others who share its arena may have written.
	var bad *trusted.Error
	if err := trusted.Check(args[0], "it says what is planned"); errors.As(err, &bad) {
		return 0, &problem{msg: bad.Msg, hint: bad.Hint}
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return 0, fmt.Errorf("read spec: %w", err)
	}
	spec, err := hooks.ParseSpec(text)
	if err != nil {
		return 0, err
	}
	for _, path := range args[1:] {
		if _, _, err := plan.Once(path, spec, live); err != nil {
			return 0, fmt.Errorf("plan %s: %w", path, err)
		}
	}
	return 0, nil
}
