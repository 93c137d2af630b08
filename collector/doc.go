// Package collector is the reader's end of seam: it listens on the socket that
// targets write to, follows their streams, takes over the queues of processes
// that died, and hands all of it to a report.
//
//	c, err := collector.Listen(collector.Options{})
//	go c.Serve()
//	// start a target with SEAM_SOCKET=c.Socket(); wait for its end
//	r := c.Finish(ctx)
//	r.WriteText(os.Stdout, report.Terminal(os.Stdout))
//	c.Close()
//
// A program that wants the events themselves sets Options.OnEvent.
//
// # Who drains a queue
//
// A process announces its arena (shared memory, see docs/architecture.md) by a
// hello that carries the arena's descriptor. As long as an agent drains it the
// collector only reads the connection. It drains itself, holding the arena's
// owner word, when every process of the arena is dead, or when the agent died
// and forked children live on. It begins only after the connections that spoke
// of the arena have ended, and skips what batches on them delivered: each event
// arrives exactly once, and at the end produced = delivered + dropped must hold.
//
// Peers are not trusted: a connection that breaks the protocol is closed and
// counted, and the others go on.
package collector
