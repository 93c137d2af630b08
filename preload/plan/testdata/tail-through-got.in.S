# A jump through memory is moved like any other rip-relative operand.
f:	endbr64
	bnd jmp *data(%rip)
	nopl 0(%rax,%rax,1)
