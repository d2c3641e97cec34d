using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.FSharp.Core;

namespace ResearchKit.Kernel.Cells;

/// <summary>F# lists, options, unions, records, sets and maps as F# prints them, with <c>%A</c>.</summary>
internal static class FSharpText
{
    private const string Marker = "Microsoft.FSharp.Core.CompilationMappingAttribute";
    private const int KindMask = 31;   // SourceConstructFlags.KindMask
    private static readonly string[] Collections =
        ["Microsoft.FSharp.Collections.FSharpSet`1", "Microsoft.FSharp.Collections.FSharpMap`2"];
    private static readonly ConcurrentDictionary<Type, bool> Known = new();

    /// <summary>Returns whether F# prints a type in its own notation.</summary>
    public static bool Prints(Type type) => type == typeof(FSharpNone) || Known.GetOrAdd(type, Look);

    /// <summary>Returns the value as F# prints it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]   // so that only F# values load F#'s library
    public static string Of(object value) => value is FSharpNone ? "None" : ExtraTopLevelOperators.PrintFormatToString(
        new PrintfFormat<FSharpFunc<object, string>, Unit, string, string, object>("%A")).Invoke(value);

    private static bool Look(Type type)
    {
        for (var one = type; one is not null && one != typeof(object); one = one.BaseType)
        {
            if (one.IsGenericType && Collections.Contains(one.GetGenericTypeDefinition().FullName)) return true;
            if (one.GetCustomAttributesData().Any(IsUnionOrRecord)) return true;
        }
        return false;
    }

    /// <summary>Read by name, because a package may bring an F# library of its own.</summary>
    private static bool IsUnionOrRecord(CustomAttributeData attribute) =>
        attribute.AttributeType.FullName == Marker
        && attribute.ConstructorArguments is [{ Value: int flags }, ..] && (flags & KindMask) is 1 or 2;
}

/// <summary>Stands for the value <c>None</c> of an F# cell when it is displayed: an option <c>None</c> is null in .NET.</summary>
internal sealed class FSharpNone;
