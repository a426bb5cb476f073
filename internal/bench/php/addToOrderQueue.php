<?php
// What the list-based system did with an order: see that it is JSON, push it to a
// list. The connection to Redis is kept from one request to the next, which is
// the best that PHP can do.
$body = file_get_contents('php://input');
$order = json_decode($body, true);
header('Content-Type: application/json');
if (!is_array($order) || !isset($order['order_id'])) {
    http_response_code(400);
    echo json_encode(['success' => false]);
    exit;
}
$redis = new Redis();
$redis->pconnect('127.0.0.1', (int) $_SERVER['REDIS_PORT']);
$length = $redis->rPush('order_queue', $body);
echo json_encode(['success' => $length !== false, 'order_id' => $order['order_id'], 'position' => $length]);
