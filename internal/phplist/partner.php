<?php
// A partner that writes down every order it is sent, as a line of JSON.
file_put_contents(getenv('PARTNER_LOG'), file_get_contents('php://input') . "\n", FILE_APPEND | LOCK_EX);
echo '{}';
