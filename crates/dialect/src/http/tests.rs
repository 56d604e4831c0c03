use super::*;

#[test]
fn a_request_of_inadyn_is_read() {
    let mut reader = Reader::new(Limits::default());
    reader.push(b"GET /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.0\r\nHost: d\r\nAuthorization: Basic dXNlcjpwYXNz\r\n\r\n");
    let request = reader.next().unwrap().unwrap();
    assert_eq!(request.path, "/nic/update");
    assert!(request.hints.is_empty());
    assert_eq!(request.credentials.unwrap().password, "pass");
}
