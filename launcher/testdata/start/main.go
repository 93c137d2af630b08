// Command start starts a program the way seam does, with nothing around it:
//
//	start run|exec program args…
//
// The tests link it with -E=seam_entry.
package main

import (
	"fmt"
	"os"

	"github.com/seam-project/seam/launcher"
)

func main() {
	env := launcher.Environ()
	t, err := launcher.Check(os.Args[2:], env)
	if err == nil && os.Args[1] == "exec" {
		err = launcher.Exec(t, env)
	}
	if err == nil {
		var p *launcher.Process
		if p, err = launcher.Start(t, env); err == nil {
			var s launcher.Status
			if s, err = p.Wait(); err == nil {
				s.Exit()
			}
		}
	}
	fmt.Fprintln(os.Stderr, "start:", err)
	os.Exit(launcher.ExitCode(err))
}
