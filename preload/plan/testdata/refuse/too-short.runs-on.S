# size 2
f:	xor %eax, %eax
	nop
	nop
	nop
	nop
