// Package main is the library that seam loads into a program: the native core
// (preload/core) and the agent (preload/agent), linked as a C shared library.
//
// Nothing here runs until the core starts the Go runtime, on a thread of its
// own; see preload/core/gostart.c.
package main

import (
	"github.com/seam-project/seam/preload/agent"
	_ "github.com/seam-project/seam/preload/rt0"
)

// A c-shared library's main is never called: its inits are.
func init() { go agent.Run() }

func main() {}
