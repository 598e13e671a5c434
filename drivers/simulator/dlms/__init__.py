"""A strict virtual DLMS meter, written from the standards: HDLC, TCP wrapper, COSEM server."""
