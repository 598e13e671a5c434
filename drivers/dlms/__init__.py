"""DLMS/COSEM over HDLC, mode E and the TCP wrapper."""
