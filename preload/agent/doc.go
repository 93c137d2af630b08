// Package agent is the Go side of seam inside the target: it plans what the
// cache had no plan for, drains the arena into the reader's socket, and
// answers hand-overs.
//
// It runs on threads of its own, in a descriptor table of its own. A panic in
// any of its goroutines ends the agent and nothing else.
package agent
