<?php
echo 'Hello from PHP ', PHP_MAJOR_VERSION, ', as ', posix_getuid(), ".\n";
