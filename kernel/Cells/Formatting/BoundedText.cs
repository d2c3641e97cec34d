using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace ResearchKit.Kernel.Cells;

/// <summary>
/// A short text of any value, for values that the formatters cannot describe: bounded in depth and length, with <c>…</c> where
/// a value contains itself.
/// </summary>
internal sealed class BoundedText
{
    private const int Deepest = 6;
    private const int MostItems = 20;
    private const int MostText = 1 << 14;
    private readonly StringBuilder text = new();
    private readonly HashSet<object> above = new(ReferenceEqualityComparer.Instance);

    private BoundedText()
    {
    }

    private bool IsFull => text.Length > MostText;

    /// <summary>Returns the text of a value.</summary>
    public static string Of(object? value)
    {
        var text = new BoundedText();
        text.Write(value);
        return text.text.ToString();
    }

    /// <summary>The pairs of a dictionary, whose ordinary enumerator may give another type of pair.</summary>
    public static IEnumerable<DictionaryEntry> Entries(IDictionary dictionary)
    {
        foreach (DictionaryEntry entry in dictionary) yield return entry;
    }

    private void Write(object? value)
    {
        switch (value)
        {
            case null: text.Append("<null>"); return;
            case string words: text.Append(above.Count == 0 ? words : $"\"{words}\""); return;
            case Type type: text.Append(Name(type)); return;
            case Enum or IFormattable { } and ValueType: text.Append(CultureInfo.InvariantCulture, $"{value}"); return;
            case bool or char: text.Append(value); return;
        }
        if (above.Count >= Deepest || IsFull || !RuntimeHelpers.TryEnsureSufficientExecutionStack() || !above.Add(value))
        {
            text.Append('…');
            return;
        }
        WriteParts(value);
        above.Remove(value);
    }

    private void WriteParts(object value)
    {
        switch (value)
        {
            case ITuple tuple:
                WriteAll("( ", Enumerable.Range(0, tuple.Length).Select(i => tuple[i]), " )", Write);
                break;
            case IDictionary pairs:
                text.Append(Name(value.GetType())).Append(' ');
                WriteAll("{ ", Entries(pairs).Cast<object>(), " }", pair => WritePair((DictionaryEntry)pair!));
                break;
            case IEnumerable items:
                text.Append(Name(value.GetType())).Append(' ');
                WriteAll("[ ", items.Cast<object?>(), " ]", Write);
                break;
            default:
                text.Append(Name(value.GetType())).Append(' ');
                WriteAll("{ ", Members(value.GetType()), " }", member => WriteMember(value, (PropertyInfo)member!));
                break;
        }
    }

    private void WriteAll(string start, IEnumerable<object?> items, string end, Action<object?> write)
    {
        text.Append(start);
        try
        {
            var count = 0;
            foreach (var item in items)
            {
                if (count > 0) text.Append(", ");
                if (count++ == MostItems || IsFull)
                {
                    text.Append('…');
                    break;
                }
                write(item);
            }
        }
        catch (Exception thrown) when (thrown is not OperationCanceledException)   // the value's own code
        {
            text.Append(Name(thrown.GetType()));
        }
        text.Append(end);
    }

    private void WritePair(DictionaryEntry pair)
    {
        Write(pair.Key);
        text.Append(": ");
        Write(pair.Value);
    }

    private void WriteMember(object owner, PropertyInfo member)
    {
        text.Append(member.Name).Append(": ");
        try
        {
            Write(member.GetValue(owner));
        }
        catch (TargetInvocationException thrown)
        {
            text.Append(Name((thrown.InnerException ?? thrown).GetType()));
        }
    }

    private static IEnumerable<object> Members(Type type) => type
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(member => member.CanRead && member.GetIndexParameters().Length == 0 && !member.PropertyType.IsByRefLike
            && !member.PropertyType.IsPointer);

    private static string Name(Type type)
    {
        if (type.IsArray) return $"{Name(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        var name = type.Name.Split('`')[0];
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : name;
    }
}
