using System.Security.Cryptography;
using System.Text;

namespace ResearchKit.Kernel.Protocol;

/// <summary>
/// Signs messages with HMAC-SHA256, so that only programs with the connection file can use the kernel.
/// </summary>
/// <param name="key">The key in the connection file; empty for unsigned messages.</param>
public sealed class MessageSigner(string key)
{
    private readonly byte[] bytes = Encoding.UTF8.GetBytes(key);

    /// <summary>
    /// Returns the signature of a message's four JSON frames, in hexadecimal; empty without a key.
    /// </summary>
    public string Sign(IEnumerable<byte[]> frames)
    {
        ArgumentNullException.ThrowIfNull(frames);
        if (bytes.Length == 0) return "";
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, bytes);
        foreach (var frame in frames) hash.AppendData(frame);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Returns whether a signature is correct, in constant time.</summary>
    public bool IsRight(byte[] signature, IEnumerable<byte[]> frames)
    {
        ArgumentNullException.ThrowIfNull(signature);
        return bytes.Length == 0 || CryptographicOperations.FixedTimeEquals(signature, Encoding.ASCII.GetBytes(Sign(frames)));
    }
}
