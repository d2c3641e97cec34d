using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>
/// Reads the pickle of a state dict. It supports only the opcodes and names that state dicts use, and calls no
/// code.
/// </summary>
/// <remarks>
/// A pickle is a program for a stack machine. In Python, its GLOBAL and REDUCE opcodes can call any function.
/// Here a global is only a name, and the few calls that state dicts make build records
/// (<see cref="PickleCalls"/>). Any other opcode or name is refused.
/// https://docs.python.org/3/library/pickletools.html.
/// </remarks>
internal sealed class Unpickler(PickleInput input)
{
    private const int MostSteps = 1 << 22;   // 100,000 tensors take 3 million
    private static readonly object Mark = new();
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);
    private readonly List<object?> stack = [];
    private readonly Dictionary<long, object?> memo = [];
    private readonly Dictionary<string, PickledStorage> storages = [];
    private readonly byte[] number = new byte[8];
    private long at;

    /// <summary>Storages that the pickle refers to, by key.</summary>
    public IReadOnlyDictionary<string, PickledStorage> Storages => storages;

    /// <summary>Executes the pickle up to the STOP opcode and returns the object.</summary>
    /// <exception cref="InvalidDataException">
    /// The pickle has an opcode, name or value that no state dict has; the message says which and where.
    /// </exception>
    public object? Load()
    {
        stack.Clear();
        memo.Clear();
        for (var step = 0; step < MostSteps; step++)
        {
            at = input.Position;
            var opcode = input.Byte();
            if (opcode == (byte)'.') return Pop();
            Step(opcode);
        }
        throw Bad($"the pickle has more than {MostSteps} steps");
    }

    private void Step(byte opcode)
    {
        switch ((char)opcode)
        {
            case '\x80': Protocol(input.Byte()); break;
            case '(': Push(Mark); break;
            case ')': Push(new PickledList([])); break;
            case ']': Push(new PickledList([])); break;
            case '}': Push(new PickledDict()); break;
            case 'N': Push(null); break;
            case '\x88': Push(true); break;
            case '\x89': Push(false); break;
            case 'K': Push((long)input.Byte()); break;
            case 'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Number(2))); break;
            case 'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Number(4))); break;
            case '\x8a': PushNumber(input.Byte()); break;
            case 'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Number(8))); break;
            case 'X': Push(input.Text(BinaryPrimitives.ReadUInt32LittleEndian(Number(4)), Utf8)); break;
            case 'T': Push(input.Text(BinaryPrimitives.ReadUInt32LittleEndian(Number(4)), Encoding.Latin1)); break;
            case 'U': Push(input.Text(input.Byte(), Encoding.Latin1)); break;
            case '\x85': Tuple(1); break;
            case '\x86': Tuple(2); break;
            case '\x87': Tuple(3); break;
            case 't': Push(new PickledList(PopToMark())); break;
            case 'a': Append([Pop()]); break;
            case 'e': Append(PopToMark()); break;
            case 's': SetItems(PopMany(2)); break;
            case 'u': SetItems(PopToMark()); break;
            case 'q': memo[input.Byte()] = Top(); break;
            case 'r': memo[BinaryPrimitives.ReadUInt32LittleEndian(Number(4))] = Top(); break;
            case 'h': Push(Remembered(input.Byte())); break;
            case 'j': Push(Remembered(BinaryPrimitives.ReadUInt32LittleEndian(Number(4)))); break;
            case 'c': Push(Global()); break;
            case 'Q': Push(Storage()); break;
            case 'R': Reduce(); break;
            case 'b': Build(); break;
            default: throw Bad($"the opcode {OpcodeNames.Of(opcode)} has no place in a state dict");
        }
    }

    private void Protocol(byte version)
    {
        if (version is not (2 or 3)) throw Bad($"the pickle has protocol {version}; state dicts have 2");
    }

    private PickledGlobal Global()
    {
        var global = new PickledGlobal(input.Line(), input.Line());
        return PickleCalls.Allows(global) ? global
            : throw Bad($"it asks for {global}, which has no place in a state dict and is not run");
    }

    private void Reduce()
    {
        var arguments = Pop() as PickledList ?? throw Bad("a call has no tuple of arguments");
        var function = Pop() as PickledGlobal ?? throw Bad("what is called is not a name");
        Push(Guard(() => PickleCalls.Call(function, arguments.Items)));
    }

    private void Build()
    {
        if (Pop() is not PickledDict || Top() is not PickledDict)
            throw Bad("attributes are set on something that is not an OrderedDict");
    }

    private PickledStorage Storage()
    {
        var id = Pop() as PickledList ?? throw Bad("the persistent id of a storage is not a tuple");
        var storage = Guard(() => PickleCalls.Storage(id.Items));
        if (!storages.TryAdd(storage.Key, storage) && storages[storage.Key] != storage)
            throw Bad($"storage '{storage.Key}' is {storage.Count} elements of {storage.Format.Name}, and "
                + $"{storages[storage.Key].Count} of {storages[storage.Key].Format.Name} before");
        return storage;
    }

    private void Append(List<object?> items)
    {
        if (Top() is not PickledList list) throw Bad("items are appended to something that is not a list");
        list.Items.AddRange(items);
    }

    private void SetItems(List<object?> pairs)
    {
        if (Top() is not PickledDict dict || pairs.Count % 2 != 0) throw Bad("pairs are set on something that is not a dict");
        for (var i = 0; i < pairs.Count; i += 2)
        {
            if (pairs[i] is not (string or long or bool or double)) throw Bad("a dict has a key that is neither text nor number");
            if (!dict.TryAdd(pairs[i]!, pairs[i + 1])) throw Bad($"a dict has the key '{pairs[i]}' twice");
        }
    }

    private void PushNumber(byte length)
    {
        if (length > 16) throw Bad($"a number has {length} bytes");
        var bytes = new byte[length];
        input.Take(bytes, "a number");
        var value = new BigInteger(bytes);
        if (value >= long.MinValue && value <= long.MaxValue) Push((long)value);
        else Push(value);
    }

    private void Tuple(int count) => Push(new PickledList(PopMany(count)));

    private Span<byte> Number(int size)
    {
        input.Take(number.AsSpan(0, size), "a number");
        return number;
    }

    private void Push(object? value) => stack.Add(value);

    private object? Remembered(long place) =>
        memo.TryGetValue(place, out var value) ? value : throw Bad($"it recalls value {place}, which it has not memorised");

    private object? Top() => stack.Count > 0 && stack[^1] != Mark ? stack[^1] : throw Bad("it takes from an empty stack");

    private object? Pop() => PopMany(1)[0];

    private List<object?> PopMany(int count)
    {
        if (stack.Count < count || FindMark(stack.Count - count) >= 0) throw Bad("it takes from an empty stack");
        var values = stack[^count..];
        stack.RemoveRange(stack.Count - count, count);
        return values;
    }

    private List<object?> PopToMark()
    {
        var mark = FindMark(0);
        if (mark < 0) throw Bad("it looks for a mark that was not set");
        var values = PopMany(stack.Count - mark - 1);
        stack.RemoveAt(mark);
        return values;
    }

    /// <summary>
    /// Returns the index of the last mark at or after <paramref name="first"/>; -1 if there is none.
    /// </summary>
    private int FindMark(int first)
    {
        for (var place = stack.Count - 1; place >= first; place--)
            if (ReferenceEquals(stack[place], Mark)) return place;
        return -1;
    }

    private T Guard<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (InvalidDataException error)
        {
            throw Bad(error.Message);
        }
    }

    private InvalidDataException Bad(string why) => input.Bad(why, at);
}
