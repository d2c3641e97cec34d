using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Tests.Kernel.Protocol;

public sealed class ConnectionFileTests
{
    private const string Good = """{"transport":"tcp","ip":"127.0.0.1","shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5,"key":"k","signature_scheme":"hmac-sha256"}""";

    [Fact]
    public void A_connection_file_of_Jupyter_is_read() =>
        Assert.Equal(new ConnectionFile("127.0.0.1", 1, 2, 3, 4, 5, "k"), ConnectionFile.Parse(Good, "a.json"));

    [Theory]
    [InlineData("\"shell_port\":1", "\"shell_port\":0", "shell_port is 0; expected a port")]
    [InlineData("\"hb_port\":5,", "", "hb_port is missing")]
    [InlineData("\"tcp\"", "\"ipc\"", "transport 'ipc' is not supported")]
    [InlineData("\"k\"", "7", "key is 7; expected a text")]
    [InlineData("hmac-sha256", "hmac-md5", "signature_scheme 'hmac-md5'")]
    [InlineData("{", "[", "not JSON")]
    public void An_invalid_connection_file_is_refused_with_the_reason(string part, string instead, string message)
    {
        var error = Assert.Throws<InvalidDataException>(() =>
            ConnectionFile.Parse(Good.Replace(part, instead, StringComparison.Ordinal), "a.json"));
        Assert.Contains("a.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Computed by Python's <c>hmac.new(b"a key", b"{}" * 4, "sha256").hexdigest()</c>.</summary>
    [Fact]
    public void Signatures_equal_those_of_Python_hmac() =>
        Assert.Equal(Expected, new MessageSigner("a key").Sign(Enumerable.Repeat("{}"u8.ToArray(), 4)));

    private const string Expected = "e2c27855d41353957c8555d30463a97e6a6ea497e6ebb3f7824503c3b64f2c0b";
}
