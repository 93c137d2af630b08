// Package wire is the stream between a target and its reader: the messages of
// docs/protocol.md, an encoder that appends them to a byte slice, and a decoder
// that reads them from a connection or a file.
//
// Both ends are on the throughput path, so nothing here reflects and nothing
// allocates per event: the encoder appends to a buffer that is used again, the
// decoder hands out views of its own buffers. The decoder reads bytes written by
// a process that may be hostile: all lengths are checked against what was
// received, and memory is bounded by the size of one value.
package wire
