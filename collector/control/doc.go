// Package control is the reader's other side: it holds what is to be watched, for
// all processes that are connected, changes it while they run, and says what became
// of it in each.
//
// The Set is the one truth. Whenever it changes a new spec file is written, and
// each agent is asked to make its process equal to that; it answers with what
// it did. A process that connects gets what is in force then. People and programs
// change the set over the control socket (server.go), or in a file that is
// watched (config.go); docs/control.md has the protocol.
package control
