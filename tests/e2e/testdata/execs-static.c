// Linked statically: no loader, nothing to preload.
#include "execs.c"
