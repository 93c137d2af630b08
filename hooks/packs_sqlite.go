package hooks

// sqlitePack covers the calls from which statements are assembled. Values
// bound to parameters are secrets: only which parameter is shown.
//
// sqlite3_errmsg and its like are left out: the agent calls them itself.
const sqlitePack = `
enum(sqlite) sqlite3_open(const char *file, out sqlite3 **db) fails not 0 handover open
enum(sqlite) sqlite3_open_v2(const char *file, out sqlite3 **db, flags(sqliteopen) flags, const char *vfs) fails not 0 handover open
enum(sqlite) sqlite3_open16(const void *file, out sqlite3 **db) fails not 0 handover open
enum(sqlite) sqlite3_close|sqlite3_close_v2(sqlite3 *db) fails not 0
enum(sqlite) sqlite3_prepare|sqlite3_prepare_v2(sqlite3 *db, sql sql[len], int len, out sqlite3_stmt **stmt, out void **tail) fails not 0 handover db
enum(sqlite) sqlite3_prepare_v3(sqlite3 *db, sql sql[len], int len, flags(sqliteprep) flags, out sqlite3_stmt **stmt, out void **tail) fails not 0 handover db
enum(sqlite) sqlite3_prepare16|sqlite3_prepare16_v2(sqlite3 *db, sql16 sql[len], int len, out sqlite3_stmt **stmt, out void **tail) fails not 0 handover db
enum(sqlite) sqlite3_prepare16_v3(sqlite3 *db, sql16 sql[len], int len, flags(sqliteprep) flags, out sqlite3_stmt **stmt, out void **tail) fails not 0 handover db
enum(sqlite) sqlite3_step(sqlite3_stmt *stmt) fails not 0 100 101 handover stmt
enum(sqlite) sqlite3_reset(sqlite3_stmt *stmt) fails not 0 100 101
enum(sqlite) sqlite3_finalize(sqlite3_stmt *stmt) fails not 0 100 101
enum(sqlite) sqlite3_clear_bindings(sqlite3_stmt *stmt) fails not 0
enum(sqlite) sqlite3_bind_blob|sqlite3_bind_text|sqlite3_bind_text16(sqlite3_stmt *stmt, int index, secret const void *value[len], int len, void *destructor) fails not 0 handover stmt
enum(sqlite) sqlite3_bind_blob64(sqlite3_stmt *stmt, int index, secret const void *value[len], uint64_t len, void *destructor) fails not 0 handover stmt
enum(sqlite) sqlite3_bind_text64(sqlite3_stmt *stmt, int index, secret const void *value[len], uint64_t len, void *destructor, uint8_t encoding) fails not 0 handover stmt
enum(sqlite) sqlite3_bind_int(sqlite3_stmt *stmt, int index, secret int value) fails not 0 handover stmt
enum(sqlite) sqlite3_bind_int64(sqlite3_stmt *stmt, int index, secret int64_t value) fails not 0 handover stmt
enum(sqlite) sqlite3_bind_double(sqlite3_stmt *stmt, int index, double value) fails not 0 handover stmt
enum(sqlite) sqlite3_bind_null(sqlite3_stmt *stmt, int index) fails not 0 handover stmt
enum(sqlite) sqlite3_bind_value(sqlite3_stmt *stmt, int index, secret const void *value) fails not 0 handover stmt
enum(sqlite) sqlite3_bind_pointer(sqlite3_stmt *stmt, int index, secret void *value, const char *type, void *destructor) fails not 0 handover stmt
enum(sqlite) sqlite3_bind_zeroblob(sqlite3_stmt *stmt, int index, int len) fails not 0 handover stmt
enum(sqlite) sqlite3_bind_zeroblob64(sqlite3_stmt *stmt, int index, uint64_t len) fails not 0 handover stmt
enum(sqlite) sqlite3_exec(sqlite3 *db, sql sql, void *callback, void *arg, out secret char **errmsg) fails not 0 handover db
enum(sqlite) sqlite3_get_table(sqlite3 *db, sql sql, out void **result, out int *rows, out int *columns, out secret char **errmsg) fails not 0 handover db
`
