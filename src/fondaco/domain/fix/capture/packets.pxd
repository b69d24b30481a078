from fondaco.domain.fix.capture.wire cimport Half
