// Package fastexec has no Go code: it is src/fastexec.c, which the Makefile builds, and its caller, for
// programs that are linked with -E=seam_start.
package fastexec
