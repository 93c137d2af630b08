// Package native tests parts of the native core by themselves: C drivers that
// include one of its files. (A Go test in preload/core would be a program with
// the library's constructors in it.)
package native

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCopyString lets the reader of arguments read strings at every distance
// from the end of what can be read.
func TestCopyString(t *testing.T) { driver(t, "copy_string") }

// TestSieve compares the code made of integer filters with the rule.
func TestSieve(t *testing.T) { driver(t, "sieve") }

// TestLive patches and restores functions under two threads.
func TestLive(t *testing.T) { driver(t, "live") }

// TestLists compares what names lead to with realpath, and looks things up in sets.
func TestLists(t *testing.T) { driver(t, "lists") }

// driver compiles and runs testdata/name.c, which prints ok.
func driver(t *testing.T, name string) {
	t.Helper()
	exe := filepath.Join(t.TempDir(), name)
	for _, opt := range []string{"-O2", "-O1"} {
		out, err := exec.Command("gcc", opt, "-g", "-Wall", "-Wno-unused-parameter", "-Wno-unused-function", "-pthread", "-o", exe, "testdata/"+name+".c").CombinedOutput()
		if err != nil {
			t.Fatalf("compile: %v\n%s", err, out)
		}
		out, err = exec.Command(exe).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "ok" {
			t.Fatalf("%s: %v\n%s", opt, err, out)
		}
	}
}
