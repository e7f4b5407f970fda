"""A real RTSP server, run by the system's Python, which has GStreamer's bindings: rtsp_server.py PORT WIDTHxHEIGHT.

A moving ball as H.264 at 15 frames a second, a key frame each second, on rtsp://127.0.0.1:PORT/camera. It says `ready`
on stdout once it listens.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

port, size = sys.argv[1], sys.argv[2]
width, height = size.split("x")
Gst.init(None)
server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1")
server.set_service(port)
camera = GstRtspServer.RTSPMediaFactory.new()
look = "pattern=ball background-color=0xffb0b0b0 foreground-color=0xff202020"
camera.set_launch(
    f"( videotestsrc is-live=true {look} ! video/x-raw,width={width},height={height},framerate=15/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 threads=1 ! rtph264pay name=pay0 pt=96 )"
)
camera.set_shared(True)
server.get_mount_points().add_factory("/camera", camera)
if not server.attach(None):
    sys.exit(f"port {port} cannot be listened on")
sys.stdout.write("ready\n")
sys.stdout.flush()
GLib.MainLoop().run()
