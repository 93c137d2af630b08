// Package launcher gets a program started with seam's library in it.
//
// It looks at the target first (Check) and refuses, with a reason and a hint,
// what a preloaded library can't serve. It then unpacks the library and the
// spec into a private cache, makes the plans the target will ask for, composes
// the environment, and starts the target as if it had been started directly:
// same descriptors, signal state, limits, terminal, exit status (Run), or in
// place of the calling process (Exec).
//
// Nothing here talks to the user: refusals and notes are values.
package launcher
