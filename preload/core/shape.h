/* shape.h: see shape.c */
#ifndef SEAM_SHAPE_H
#define SEAM_SHAPE_H
#include "abi.h"
#define SEAM_SHAPE_MOST (SEAM_SQL_MOST + SEAM_SQL_MOST / 2 + 8) /* bytes that the shape of SEAM_SQL_MOST may have */
#pragma GCC visibility push(hidden)
/* Writes the shape of sql[0..n) to dst, n and half as many bytes at most; its length. */
unsigned seam_shape(const char *sql, unsigned n, char *dst);
/* The length of the first statement of a shape; next: where what follows it begins, 0: its end is not in the text. */
unsigned seam_shape_first(const char *s, unsigned n, unsigned *next);
#pragma GCC visibility pop
#endif
