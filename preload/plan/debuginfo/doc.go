// Package debuginfo reads what an ELF file says about its functions beyond
// what it exports: .symtab, the separate debug file, and the prototypes in
// DWARF.
//
//	object ──► .symtab            names, addresses, sizes
//	   │  └──► .debug_info        prototypes
//	   └─ build-id, .gnu_debuglink ──► debug file ──► both of the above
//	                                       └─ .gnu_debugaltlink ──► what dwz moved out
//
// Nothing is read before it is asked for, and every byte is taken for hostile:
// sizes are bounded, and what does not add up is as if it were not there. The
// loader runs a damaged file's code all the same.
package debuginfo
