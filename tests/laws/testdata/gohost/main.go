// The host is a Go program: it has a runtime, signal handlers and threads of its
// own, beside those of the agent.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// What only the program with cgo does: fewer packages to build without.
var throughC, server = func() {}, func() {}

func main() {
	throughC()
	server()
	children()
	signals()
	faults()
	for range 20 {
		garbage()
	}
	throughC()
	fmt.Println("end", runtime.NumGoroutine())
	os.Exit(7)
}

func children() {
	for i := range 5 {
		out, err := exec.Command("/bin/sh", "-c", fmt.Sprintf("echo child %d; exit %d", i, i)).Output()
		fmt.Printf("%s%v\n", out, err)
	}
	c := exec.Command("/bin/sleep", "60")
	check(c.Start())
	check(c.Process.Kill())
	fmt.Println(c.Wait())
}

func signals() {
	got := make(chan os.Signal, 100)
	signal.Notify(got, syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGWINCH)
	for _, s := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGWINCH} {
		check(syscall.Kill(os.Getpid(), s))
		select {
		case g := <-got:
			fmt.Println("signal", g)
		case <-time.After(10 * time.Second):
			fmt.Println("no signal", s)
		}
	}
	signal.Stop(got)
	signal.Ignore(syscall.SIGTERM)
	check(syscall.Kill(os.Getpid(), syscall.SIGTERM))
}

// faults are signals that the host's runtime turns into panics.
func faults() {
	debug.SetPanicOnFault(true)
	for i, f := range []func(){
		func() { var p *int; *p = 1 },
		func() { var m map[string]int; m["a"] = 1 },
		func() { z := 0; fmt.Println(1 / z) },
		func() { panic("own") },
	} {
		func() {
			defer func() { fmt.Println("recovered", i, recover()) }()
			f()
		}()
	}
}

var sink []byte

func garbage() {
	for range 50 {
		sink = make([]byte, 1<<18)
	}
	runtime.GC()
	// A loop that only a preemption signal interrupts.
	done := make(chan bool)
	go func() {
		n := 0
		for i := range 3_000_000 {
			n += i
		}
		done <- n != 0
	}()
	<-done
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
