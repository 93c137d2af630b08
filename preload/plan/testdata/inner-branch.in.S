# A branch within the displaced bytes goes to the moved instruction.
f:	jne 1f
	nop
1:	nop
	xor %eax, %eax
	ret
