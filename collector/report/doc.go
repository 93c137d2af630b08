// Package report turns the messages of the stream (docs/protocol.md) into what
// a person, or a script, reads at the end of a run.
//
// A Builder collects; each connection feeds it through a Stream, which is a
// wire.Handler. Streams share nothing while they run, so the path of one event
// takes no lock and allocates nothing; what they gathered is merged when they
// are closed. Everything in a Report comes from messages, never from the
// reader's own clock or process table: the same bytes give the same report,
// which is what makes `seam report FILE` print what `seam run -o FILE` printed.
//
// Memory is bounded: paths, statements and addresses beyond a limit are summed
// up under "other", and the report says so.
package report
