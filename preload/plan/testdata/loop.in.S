f:	nop
1:	nop
	loop 1b
	nop
	ret
