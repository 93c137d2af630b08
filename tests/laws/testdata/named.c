const char *a_name = "/nonexistent/in/a/library";
