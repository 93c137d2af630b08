f:	sub $8, %rsp
	call elsewhere
	add $8, %rsp
	ret
