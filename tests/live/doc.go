// Package live tests that what is patched changes in processes that run: under
// eight busy threads, in forked children, while libraries come and go.
package live
