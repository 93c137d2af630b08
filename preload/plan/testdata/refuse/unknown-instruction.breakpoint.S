# A debugger may own it.
f:	int3
	ret
	nop
	nop
	nop
