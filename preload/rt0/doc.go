// Package rt0 replaces the entry point that would start the Go runtime when
// the library is loaded, by one that does nothing. See preload/core/gostart.c
// for the start on demand.
package rt0
