# Answers every request on port 8000, until SIGTERM.
require "json"
require "socket"

trap("TERM") { exit!(0) }

server = TCPServer.new(8000)
loop do
  client = server.accept
  client.gets
  body = JSON.generate(hello: "from Ruby", uid: Process.uid) + "\n"
  client.write "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: #{body.bytesize}\r\n\r\n#{body}"
  client.close
end
