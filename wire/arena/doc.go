// Package arena is the Go side of the shared memory that a target's threads
// write calls into: its layout, a checked view of it, and the drainer's half of
// the protocol by which chunks change hands. The C half is in preload/core; the
// bytes are defined in preload/core/abi.h.
//
// The other side may be hostile or dead at any instruction. Every offset and
// length of the header is checked once, into a private copy, and only that copy
// is used afterwards; everything that changes is loaded once, with an atomic,
// and bounded before use. Nothing here trusts a count it did not check.
//
// Who may do what: producers take, fill and steal chunks; the one drainer, which
// holds the owner word, marks chunks BUSY, reads them, and commits what it has
// written to the stream. Reading and committing are apart, so that a drainer
// that dies between them has delivered, at worst, what its reader can recognise
// by chunk uid and position.
package arena
