package drain

// rdtsc reads the time stamp counter: the clock of an arena's records.
func rdtsc() uint64
