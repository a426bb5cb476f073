<?php
// What the shop of the list-based system did: push orders as JSON, one after another.
// Arguments: the port of Redis, rPush or lPush, how many, microseconds between two.
[, $port, $push, $count, $pause] = $argv;
$redis = new Redis();
$redis->connect('127.0.0.1', (int) $port);
for ($i = 1; $i <= (int) $count; $i++) {
    $order = ['order_id' => "P-$i", 'item' => "茶 \"$i\"", 'amount' => $i * 10 / 4];
    if ($redis->$push('order_queue', json_encode($order)) === false) {
        fwrite(STDERR, "order $i was not pushed\n");
        exit(1);
    }
    usleep((int) $pause);
}
