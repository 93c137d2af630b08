// An http server in two processes: each request reads a file on libuv's threads and runs a child now and then.
const cluster = require('cluster'), crypto = require('crypto'), fs = require('fs'), http = require('http');
const { execFile } = require('child_process');

if (cluster.isPrimary) {
	let left = 2;
	for (let i = 0; i < left; i++) cluster.fork();
	cluster.on('exit', (worker, code, signal) => {
		console.log('worker ended', code, signal);
		if (--left === 0) process.exit(0);
	});
	process.on('SIGTERM', () => Object.values(cluster.workers).forEach((w) => w.kill()));
} else {
	let n = 0;
	http.createServer((req, res) => {
		let body = '';
		req.on('data', (d) => { body += d; });
		req.on('end', () => fs.readFile(__filename, (err, data) => {
			const digest = crypto.createHash('sha256').update(data).update(body).digest('hex');
			const answer = (err, out) => { res.statusCode = err ? 500 : 200; res.end(`${req.url} ${digest} ${out}`); };
			if (n++ % 200 === 0) execFile('/bin/echo', ['child'], answer); else answer(null, 'child\n');
		}));
	}).listen(+process.argv[2], '127.0.0.1');
}
