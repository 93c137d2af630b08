package hooks

// knownText are prototypes of libc functions that no pack hooks, for probes
// that name them. A line that begins with ## titles those that follow, for
// docs/functions.md. What the functions of stdio, strings and memory move about
// is data: buffers are withheld, as in the packs; strings that select or name
// something are shown.
const knownText = knownMemory + knownStrings + knownWide + knownStdio + knownTime + knownThreads + knownSignals +
	knownUsers + knownEnv + knownFiles + knownEvents + knownNet + knownTerminals + knownIPC + knownSystem + knownMisc
