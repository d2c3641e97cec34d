using System.Security.Cryptography;
using System.Text;

namespace ResearchKit.Kernel.Protocol;

/// <summary>Signs messages with HMAC-SHA256, so that only who has the connection file can speak to the kernel.</summary>
/// <param name="key">The connection file's key; empty for no signatures.</param>
public sealed class MessageSigner(string key)
{
    private readonly byte[] bytes = Encoding.UTF8.GetBytes(key);

    /// <summary>The signature of a message's four JSON frames, in hexadecimal; empty without a key.</summary>
    public string Sign(IEnumerable<byte[]> frames)
    {
        ArgumentNullException.ThrowIfNull(frames);
        if (bytes.Length == 0) return "";
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, bytes);
        foreach (var frame in frames) hash.AppendData(frame);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Whether a signature is right; takes as long for a wrong one.</summary>
    public bool IsRight(byte[] signature, IEnumerable<byte[]> frames)
    {
        ArgumentNullException.ThrowIfNull(signature);
        return bytes.Length == 0 || CryptographicOperations.FixedTimeEquals(signature, Encoding.ASCII.GetBytes(Sign(frames)));
    }
}
