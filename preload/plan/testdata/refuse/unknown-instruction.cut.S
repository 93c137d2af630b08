# size 4
# The last instruction reaches past the function's end.
f:	mov $1, %eax
	ret
