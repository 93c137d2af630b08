// Package sqlshape assembles statements from calls: prepare, step, reset and
// finalize become one Statement per execution.
//
// A statement's time is the sum of its sqlite3_step calls: the work, without
// what the program does between two rows and without preparing. Its rows are
// the steps that returned SQLITE_ROW. Nothing is counted twice: sqlite3_exec
// and sqlite3_get_table run the same functions inside, and these are what is
// counted; only when none of them was seen does the outer call stand for a
// statement itself.
//
// A statement that fails inside an exec gets its message from there, when the
// exec returns: nobody can ask for it sooner.
//
// The machine is fed by the drainer, which has the raw records. A reader that
// may have to drain on keeps a Shadow of it, fed from the drainer's stream.
package sqlshape
