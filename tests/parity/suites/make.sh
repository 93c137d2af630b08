# `make -j2` of a C project, git of Debian's source package: every file it makes must be the same.
. "$HERE/lib.sh"
case $1 in
setup) source_package git ;;
units) echo git ;;
run)
	cp -a "$WORK/git" git
	cd git
	status=0
	"$WATCH" make -j2 prefix=/usr NO_CURL=1 NO_EXPAT=1 NO_TCLTK=1 NO_GETTEXT=1 NO_OPENSSL=1 NO_PYTHON=1 CFLAGS='-O0 -w -g0' all >../make.log 2>&1 || status=$?
	echo "= exit status: $status"
	# An archive's members have times, GIT-*, *.d and bin-wrappers have the folder's name.
	find . -path ./bin-wrappers -prune -o -type f \( -name '*.o' -o -name 'git*' -perm -100 -o -name '*.mo' \) -print | LC_ALL=C sort | xargs sha256sum | awk '{ print "= " $2 ": " $1 }'
	;;
esac
