"""A small client of PostgreSQL's protocol: simple queries, trust or SCRAM-SHA-256.

A process of psql takes longer than a replica lags; this asks within a fraction of a millisecond.
"""

import base64
import hashlib
import hmac
import os
import socket
import struct


READY = b"Z\0\0\0\5I"  # Outside a transaction. No text of ours has it.


class Refused(Exception):
    """The server's error: SQLSTATE and message."""


class Connection:
    """One session."""

    def __init__(self, port, user, database, password=None, timeout=600):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        try:
            self._start(user, database, password)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.socket.sendall(b"X\0\0\0\4")
        except OSError:
            pass  # It is gone already, which is what was wanted.
        self.socket.close()

    def rows(self, sql):
        """The rows of all statements, as lists of text and None."""
        self._send(b"Q", sql.encode() + b"\0")
        rows, error = [], None
        while True:
            kind, body = self._message()
            if kind == b"D":
                rows.append(_fields(body))
            elif kind == b"E":
                error = _error(body)
            elif kind == b"Z":
                if error:
                    raise error
                return rows

    def value(self, sql):
        """The first field of the first row; None when there is no row."""
        rows = self.rows(sql)
        return rows[0][0] if rows else None

    def copy_in(self, sql, pieces):
        """COPY … FROM STDIN: the pieces are its input, which may break anywhere."""
        self._send(b"Q", sql.encode() + b"\0")
        kind, body = self._message()
        if kind == b"G":
            for piece in pieces:
                self._send(b"d", piece)
            self._send(b"c", b"")
        error = _error(body) if kind == b"E" else None
        while kind != b"Z":
            kind, body = self._message()
            if kind == b"E":
                error = _error(body)
        if error:
            raise error

    def drain(self, sql):
        """Takes an answer without looking at it, as fast as it comes; gives its bytes."""
        self._send(b"Q", sql.encode() + b"\0")
        buffer, total, tail = bytearray(1 << 18), 0, b""
        while tail != READY:
            count = self.socket.recv_into(buffer)
            if count == 0:
                raise ConnectionError("the server closed the connection")
            total += count
            tail = (tail + buffer[max(0, count - len(READY)):count])[-len(READY):]
        return total

    def _send(self, kind, body):
        self.socket.sendall(kind + struct.pack("!I", len(body) + 4) + body)

    def _start(self, user, database, password):
        body = struct.pack("!I", 196608)
        for word in ("user", user, "database", database, "application_name", "bench"):
            body += word.encode() + b"\0"
        body += b"\0"
        self.socket.sendall(struct.pack("!I", len(body) + 4) + body)
        while True:
            kind, body = self._message()
            if kind == b"E":
                raise _error(body)
            if kind == b"Z":
                return
            if kind == b"R":
                (method,) = struct.unpack_from("!I", body)
                if method == 10:
                    self._scram(password or "")
                elif method != 0:
                    raise Refused(f"authentication method {method} is not known here")

    def _scram(self, password):
        """RFC 5802 and 7677, without channel binding."""
        nonce = base64.b64encode(os.urandom(18)).decode()
        first = f"n=,r={nonce}"
        message = ("n,," + first).encode()
        self._send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(message)) + message)
        server_first = self._sasl(11).decode()
        answer = dict(part.split("=", 1) for part in server_first.split(","))
        salted = hashlib.pbkdf2_hmac(
            "sha256", password.encode(), base64.b64decode(answer["s"]), int(answer["i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = f"c=biws,r={answer['r']}"
        auth = ",".join((first, server_first, without_proof)).encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), auth, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self._send(b"p", f"{without_proof},p={base64.b64encode(proof).decode()}".encode())
        self._sasl(12)

    def _sasl(self, expected):
        kind, body = self._message()
        if kind == b"E":
            raise _error(body)
        (method,) = struct.unpack_from("!I", body)
        if kind != b"R" or method != expected:
            raise Refused(f"unexpected answer {kind!r} {method}")
        return body[4:]

    def _message(self):
        head = self._take(5)
        (length,) = struct.unpack("!I", head[1:])
        return head[:1], self._take(length - 4)

    def _take(self, count):
        while len(self.buffer) < count:
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionError("the server closed the connection")
            self.buffer += piece
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken


def _fields(body):
    (count,) = struct.unpack_from("!H", body)
    fields, at = [], 2
    for _ in range(count):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        if length < 0:
            fields.append(None)
        else:
            fields.append(body[at:at + length].decode())
            at += length
    return fields


def _error(body):
    parts = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    return Refused(f"{parts.get(b'C', '?')}: {parts.get(b'M', '?')}")
