<?php
// What the processor of the list-based system did: pop an order, send it, wait. It
// ends at SIGTERM, after the order in hand.
// Arguments: the port of Redis, lPop or rPop, the partner's URL, microseconds between two.
[, $port, $pop, $url, $pause] = $argv;
$stopped = false;
pcntl_async_signals(true);
pcntl_signal(SIGTERM, function () use (&$stopped) {
    $stopped = true;
});
$redis = new Redis();
$redis->connect('127.0.0.1', (int) $port);
while (!$stopped) {
    $order = $redis->$pop('order_queue');
    if ($order !== false) {
        $answer = file_get_contents($url, false, stream_context_create(['http' => [
            'method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => $order]]));
        if ($answer === false) {
            fwrite(STDERR, "an order was popped and not sent\n");
            exit(1);
        }
    }
    usleep((int) $pause);
}
