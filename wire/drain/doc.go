// Package drain turns what an arena holds into the stream: it reads chunks,
// pairs entries with returns, shapes arguments, and writes batches.
//
// It runs in the agent, and in the collector for arenas whose processes are
// gone. Either may be killed at any instruction, so it keeps nothing that
// matters to itself: what is read is committed to the arena only after the batch
// with it has been written, a call that has not returned by the end of a pass is
// sent as an `enter` at once, and a batch whose write failed is kept, its chunks
// unread in the arena's view, until there is another connection.
//
// It reads memory that a hostile process may write: a record is bounded before
// it is used, and copied before anything looks at it twice.
package drain
