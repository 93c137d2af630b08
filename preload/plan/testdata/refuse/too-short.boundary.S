# start 0x100e
# size 1
# The padding reaches a boundary where an unseen function could begin with a nop.
f:	ret
	nop
	nop
	nop
	nop
	nop
